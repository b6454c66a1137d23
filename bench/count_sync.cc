// To be preloaded: counts what a process makes durable, in the file that SPL_BENCH_SYNC_COUNT names: one 64-bit number
// in the machine's order, each call of fsync, fdatasync, sync_file_range, syncfs, sync and msync(MS_SYNC) being one.
// The program must be linked dynamically; the harness holds a run's count against strace's where that is there.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

std::atomic<std::uint64_t>* map_counter() {
  const char* path = std::getenv("SPL_BENCH_SYNC_COUNT");
  if (path == nullptr) return nullptr;
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(std::uint64_t)) != 0) std::abort();
  void* at = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (at == MAP_FAILED) std::abort();
  ::close(file);
  return static_cast<std::atomic<std::uint64_t>*>(at);
}

void count() {
  static std::atomic<std::uint64_t>* const counter = map_counter();
  if (counter != nullptr) counter->fetch_add(1, std::memory_order_relaxed);
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// The system's headers name the parameters with reserved names.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" {

int fsync(int file) {
  static auto* const call = real<int(int)>("fsync");
  count();
  return call(file);
}

int fdatasync(int file) {
  static auto* const call = real<int(int)>("fdatasync");
  count();
  return call(file);
}

int syncfs(int file) noexcept {
  static auto* const call = real<int(int)>("syncfs");
  count();
  return call(file);
}

void sync() noexcept {
  static auto* const call = real<void()>("sync");
  count();
  call();
}

int sync_file_range(int file, off64_t offset, off64_t bytes, unsigned int flags) {
  static auto* const call = real<int(int, off64_t, off64_t, unsigned int)>("sync_file_range");
  count();
  return call(file, offset, bytes, flags);
}

int msync(void* at, std::size_t bytes, int flags) {
  static auto* const call = real<int(void*, std::size_t, int)>("msync");
  if ((flags & MS_SYNC) != 0) count();
  return call(at, bytes, flags);
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
