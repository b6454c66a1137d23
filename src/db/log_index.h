// The index of a write-ahead log is a file (-shm) that SQLite maps into memory and makes sparse: where a block of the
// disk is smaller than a page, a write to that memory on a full disk ends the process (SIGBUS). Here each part of it is
// given its blocks when it is mapped, so that a full disk is an error. Any thread. Sources:
// https://www.sqlite.org/wal.html, madvise(2).
#pragma once

struct sqlite3;

namespace spl::db {

// For a connection that was just opened, before its log is looked at. What the kernel cannot do (before Linux 5.14) is
// left as it is.
void reserve_log_index(sqlite3* connection);

}  // namespace spl::db
