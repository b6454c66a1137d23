#include "env/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "env/descriptor.h"
#include "env/streams.h"

namespace spl::env {
namespace {

constexpr std::size_t kLineBytesMax = 64u << 10;

// A terminal that does not show what is typed, while this lives.
class NoEcho {
 public:
  explicit NoEcho(int descriptor) : descriptor_(descriptor), known_(::tcgetattr(descriptor, &before_) == 0) {
    if (!known_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= static_cast<tcflag_t>(ICANON | ISIG);
    known_ = ::tcsetattr(descriptor, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (known_) ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
  }
  [[nodiscard]] bool holds() const { return known_; }

 private:
  const int descriptor_;
  termios before_{};
  bool known_;
};

// Octets that are wiped, and were never anywhere else.
struct TypedLine {
  std::array<char, kLineBytesMax> octets{};
  std::size_t size = 0;
  TypedLine() = default;
  TypedLine(const TypedLine&) = delete;
  TypedLine& operator=(const TypedLine&) = delete;
  ~TypedLine() { explicit_bzero(octets.data(), octets.size()); }
};

}  // namespace

std::optional<std::size_t> terminal_width(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

bool shows_unicode(const TerminalVariables& variables) {
  if (variables.term == "dumb") return false;
  std::string locale(!variables.lc_all.empty()     ? variables.lc_all
                     : !variables.lc_ctype.empty() ? variables.lc_ctype
                                                   : variables.lang);
  std::ranges::transform(locale, locale.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
}

Result<SecretBytes> read_hidden_line(std::string_view prompt, const Interrupt* interrupt) {
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.is_open())
    return fail(ErrorCode::kUsage, "there is no terminal to ask on", "name a file or a command instead");
  const NoEcho silence(terminal.number());
  if (!silence.holds()) return base::fail_errno("cannot ask on the terminal", errno);
  DescriptorSink screen(terminal.number(), "the terminal", nullptr);
  TRY(screen.write(prompt));
  TypedLine line;
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{terminal.number(), POLLIN, 0},
                                pollfd{interrupt == nullptr ? -1 : interrupt->descriptor(), POLLIN, 0}};
    const int ready = ::poll(waits.data(), waits.size(), -1);
    if (interrupt != nullptr && interrupt->raised()) {
      (void)screen.write("\n");
      return base::fail_cancelled("nothing was changed");
    }
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t n = ::read(terminal.number(), line.octets.data() + line.size, line.octets.size() - line.size);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return base::fail_errno("cannot read from the terminal", errno);
    if (n == 0) {
      (void)screen.write("\n");
      return fail(ErrorCode::kUsage, "nothing was typed", "type it, and end it with the key Enter");
    }
    line.size += static_cast<std::size_t>(n);
    const std::string_view typed(line.octets.data(), line.size);
    const std::size_t end = typed.find('\n');
    if (end != std::string_view::npos) {
      (void)screen.write("\n");
      return SecretBytes(typed.substr(0, end));
    }
    if (line.size == line.octets.size()) return fail(ErrorCode::kUsage, "the line is too long", "type a shorter one");
  }
}

}  // namespace spl::env
