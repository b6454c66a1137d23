#include "operation/context_records.h"

#include "codec/json.h"
#include "record/thread.h"

namespace spl::operation {

Result<bool> is_of_context(const Record& record, std::string_view context) {
  if (record::is_reserved(record.thread)) return false;
  const codec::Json body = TRY(codec::Json::parse(record.body()));
  const codec::Json* found = body.find("namespace");
  if (found == nullptr || found->string() == nullptr) return false;
  const std::string_view name = *found->string();
  return name.starts_with(context) && (name.size() == context.size() || name[context.size()] == '/');
}

}  // namespace spl::operation
