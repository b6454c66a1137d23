// GET /openapi.json, made from the table of routes and the shapes that they take and give.
#include <map>
#include <string>

#include "api/routes.h"
#include "base/cause.h"

namespace spl::api {
namespace {

using codec::Json;

constexpr std::string_view kAbout =
    "The daemon of one instance. Over TCP every route but /health, /.well-known/syncropel, /v1/directory/{did} and "
    "this document asks for a bearer token "
    "with "
    "the scope that it names; the home's Unix socket asks for none, and alone serves /v1/local/*. Query parameters "
    "that "
    "are not listed are refused. Thread ids in paths are percent-encoded and may be empty.";

std::string scope_text(Access access) {
  switch (access) {
    case Access::kRead:
      return " Scope records:read.";
    case Access::kWrite:
      return " Scope records:write.";
    case Access::kAdmin:
      return " Scope admin.";
    case Access::kPeer:
      return " Signed by an instance, as RFC 9421 says.";
    case Access::kDoor:
      return " By the router alone.";
    case Access::kOpen:
    case Access::kOwner:
      break;
  }
  return {};
}

Json content(std::string_view type, Json schema) {
  return Json::Object{{std::string(type), Json::Object{{"schema", std::move(schema)}}}};
}

// What the braces of the pattern hold.
void add_path_parameters(std::string_view pattern, Json::Array& parameters) {
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    const std::size_t close = pattern.find('}', open);
    parameters.emplace_back(Json::Object{{"name", std::string(pattern.substr(open + 1, close - open - 1))},
                                         {"in", "path"},
                                         {"required", true},
                                         {"schema", Json::Object{{"type", "string"}}}});
  }
}

Json operation_json(const Route& route) {
  const RouteText& about = route.about;
  Json operation = Json::Object{{"summary", std::string(about.summary) + scope_text(route.access)}};
  if (route.access == Access::kOpen || !is_at_tcp(route.access) || route.access == Access::kPeer)
    operation.add("security", Json::Array{});
  Json::Array parameters;
  add_path_parameters(route.pattern, parameters);
  if (about.parameters != nullptr) {
    const Json query = about.parameters();
    parameters.insert(parameters.end(), query.array()->begin(), query.array()->end());
  }
  if (!parameters.empty()) operation.add("parameters", std::move(parameters));
  if (about.request != nullptr || about.request_type != kJsonType)
    operation.add("requestBody",
                  Json::Object{{"content", content(about.request_type,
                                                   about.request != nullptr ? about.request() : Json::Object{})}});
  Json answer =
      Json::Object{{"description", "Done."},
                   {"content", content(about.answer_type, about.answer != nullptr ? about.answer() : Json::Object{})}};
  operation.add("responses", Json::Object{{std::to_string(about.status), std::move(answer)},
                                          {"default", Json::Object{{"$ref", "#/components/responses/Error"}}}});
  return operation;
}

Json error_schema() {
  Json::Array words;
  for (const std::string_view word : base::error_words()) words.emplace_back(word);
  const Json text = Json::Object{{"type", "string"}};
  return Json::Object{{"type", "object"},
                      {"required", Json::Array{"object", "code", "message", "hint"}},
                      {"properties", Json::Object{{"object", Json::Object{{"const", "error"}}},
                                                  {"code", Json::Object{{"enum", std::move(words)}}},
                                                  {"message", text},
                                                  {"hint", text}}}};
}

Json components() {
  Json error = Json::Object{
      {"description", "What went wrong. The header spl-exit-code is the exit code that the command line gives it."},
      {"content", content(kJsonType, Json::Object{{"$ref", "#/components/schemas/Error"}})}};
  return Json::Object{
      {"securitySchemes", Json::Object{{"token", Json::Object{{"type", "http"}, {"scheme", "bearer"}}}}},
      {"responses", Json::Object{{"Error", std::move(error)}}},
      {"schemas", Json::Object{{"Error", error_schema()}}}};
}

std::string make_text() {
  std::map<std::string, Json> paths;
  for (const Route& route : routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    paths[std::string(route.pattern)].add(method, operation_json(route));
  }
  Json::Object all;
  for (auto& [path, operations] : paths) all.emplace_back(path, std::move(operations));
  const Json document =
      Json::Object{{"openapi", "3.1.0"},
                   {"info", Json::Object{{"title", "spl"}, {"version", "1"}, {"description", kAbout}}},
                   {"security", Json::Array{Json::Object{{"token", Json::Array{}}}}},
                   {"paths", std::move(all)},
                   {"components", components()}};
  return document.pretty() + "\n";
}

}  // namespace

const std::string& openapi_text() {
  static const std::string kText = make_text();
  return kText;
}

}  // namespace spl::api
