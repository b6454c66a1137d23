// A shape as the query of a request: a flag is "1", a list is joined by commas, what is not set is left out. Pure; any
// thread.
#pragma once

#include <string>

#include "api/exchange.h"
#include "base/result.h"
#include "codec/shape.h"

namespace spl::api {

// "name=value&..", percent-encoded.
std::string query_text(const codec::Json& object);
// The parameters of the request as an object that has the types of the schema; code kUsage where they cannot have, and
// for parameters that it does not name.
Result<codec::Json> query_json(Exchange& exchange, const codec::Json& schema);
// The parameters of the request as OpenAPI describes them.
codec::Json query_parameters(const codec::Json& schema);

template <class T>
Result<T> query_shape(Exchange& exchange) {
  return codec::parse_shape<T>(TRY(query_json(exchange, codec::schema_of<T>())), codec::Unknown::kRefused);
}

}  // namespace spl::api
