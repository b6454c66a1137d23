// Always-on checks for programmers' mistakes: a failed one prints where and aborts. Never for input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define SPL_CHECK(condition)                                                             \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
