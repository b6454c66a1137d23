#include "cli/bundle_file.h"

#include "base/encoding.h"
#include "cli/output.h"

namespace spl::cli {

Result<BundleFile> open_bundle(const std::string& path, const Keys& keys, const env::Interrupt* interrupt,
                               std::size_t workers, bundle::Records records) {
  BundleFile opened;
  opened.file = TRY(env::InputFile::open(path, interrupt));
  bundle::ReaderOptions options;
  options.identities = keys.identities;
  options.passphrase = keys.passphrase ? &*keys.passphrase : nullptr;
  options.workers = workers;
  opened.reader = TRY(bundle::BundleReader::open(*opened.file, options));
  opened.reader->set_records(records);
  return opened;
}

std::string path_line(std::string_view path, bool terminal) {
  if (terminal) return one_line(path);
  std::string line;
  for (const char c : path) {
    switch (c) {
      case '\\':
        line += "\\\\";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      default:
        line.push_back(c);
    }
  }
  return line;
}

}  // namespace spl::cli
