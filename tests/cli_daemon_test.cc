#include "cli_harness.h"
