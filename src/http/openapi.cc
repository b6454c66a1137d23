// GET /openapi.json, kept by hand; server_test.cc holds it to the table of routes.
#include "http/routes.h"

namespace spl::http {

namespace {

constexpr std::string_view kText = R"json({
"openapi": "3.1.0",
"info": {
  "title": "spl",
  "version": "1",
  "description": "The daemon of one instance. Over TCP every route but /health and /.well-known/syncropel asks for a bearer token with the scope that it names; the home's Unix socket asks for none, and alone serves /v1/local/*. Query parameters that are not listed are refused. Thread ids in paths are percent-encoded and may be empty."
},
"security": [{"token": []}],
"paths": {
  "/health": {"get": {"summary": "Is it there?", "security": [], "responses": {
    "200": {"description": "It is.", "content": {"application/json": {"schema": {"type": "object", "required": ["status", "did"],
      "properties": {"status": {"const": "ok"}, "did": {"type": ["string", "null"]}, "version": {"type": "string"}}}}}}}}},
  "/.well-known/syncropel": {"get": {"summary": "What this instance can do.", "security": [], "responses": {
    "200": {"description": "The manifest of its capabilities.", "content": {"application/json": {"schema": {"type": "object",
      "properties": {"did": {"type": ["string", "null"]}, "capabilities_manifest": {"type": "object", "properties": {
        "version": {"type": "string"}, "algebra_version": {"const": "v1"}, "hashed_fields": {"type": "array", "items": {"type": "string"}},
        "bundle_version": {"type": "integer"}}}}}}}}}}},
  "/openapi.json": {"get": {"summary": "This document. Scope records:read.", "responses": {
    "200": {"description": "An OpenAPI document.", "content": {"application/json": {}}}}}},
  "/v1/records": {
    "post": {"summary": "Puts one record, or many of them all or nothing. Scope records:write; the actors must be the token's, unless it has the scope admin.",
      "requestBody": {"required": true, "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/NewRecord"}},
        "application/x-ndjson": {"schema": {"description": "One record, or {\"id\",\"record\",\"sig\"} whose id is checked, a line.", "type": "string"}}}},
      "responses": {
        "201": {"description": "The record is durable (also where it was there before).", "content": {"application/json": {"schema": {"type": "object",
          "required": ["id"], "properties": {"id": {"$ref": "#/components/schemas/RecordId"}}}}}},
        "200": {"description": "All lines are durable. The header spl-report has sigs_filled and differing.", "content": {"application/json": {"schema": {"type": "object",
          "required": ["inserted", "deduplicated"], "properties": {"inserted": {"type": "integer"}, "deduplicated": {"type": "integer"}}}}}},
        "default": {"$ref": "#/components/responses/Error"}}},
    "get": {"summary": "Records in the order of their arrival. Scope records:read.",
      "parameters": [
        {"name": "thread", "in": "query", "schema": {"type": "string"}, "description": "only of this thread; may be empty"},
        {"name": "since", "in": "query", "schema": {"type": "string", "default": "0"}, "description": "0, or the cursor of an earlier answer, as it is"},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 1000, "minimum": 1, "maximum": 10000}, "description": "application/x-ndjson has all there is where no limit is given, and no largest one"}],
      "responses": {
        "200": {"description": "A page; it may be shorter than limit and still have more after it. With accept: application/x-ndjson a record a line.",
          "headers": {"spl-cursor": {"description": "of application/x-ndjson: the cursor after its last line", "schema": {"type": "string"}}},
          "content": {"application/json": {"schema": {"type": "object",
            "required": ["records", "cursor", "has_more"], "properties": {
              "records": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
              "cursor": {"type": "string", "description": "where this page ends: since of the next one"}, "has_more": {"type": "boolean"}}}},
            "application/x-ndjson": {"schema": {"description": "{\"id\",\"record\",\"sig\"}, sig only where there is one, a line.", "type": "string"}}}},
        "410": {"description": "CURSOR_GONE: the instance was restored, and the cursor is of the store before. Begin again with since=0; ids tell what is known.",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
        "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/records/{id}": {"get": {"summary": "One record. Scope records:read.",
    "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/RecordId"}}],
    "responses": {
      "200": {"description": "The record.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Record"}}}},
      "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/threads": {"get": {"summary": "All threads. Scope records:read.", "responses": {
    "200": {"description": "All of them, at one moment.", "content": {"application/json": {"schema": {"type": "object",
      "required": ["object", "data"], "properties": {"object": {"const": "list"},
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/Thread"}}}}}}},
    "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/threads/{id}/records": {"get": {"summary": "The records of a thread, by clock, then id. Scope records:read.",
    "parameters": [{"$ref": "#/components/parameters/Thread"}],
    "responses": {
      "200": {"description": "All of them, at one moment.", "content": {"application/json": {"schema": {"type": "object",
        "required": ["object", "data"], "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": {"type": "object",
          "required": ["id", "record"], "properties": {"id": {"$ref": "#/components/schemas/RecordId"},
            "record": {"$ref": "#/components/schemas/NewRecord"}, "sig": {"type": "string"}}}}}}}}},
      "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/threads/{id}/state": {"get": {"summary": "The state of a thread. Scope records:read.",
    "parameters": [{"$ref": "#/components/parameters/Thread"}],
    "responses": {
      "200": {"description": "The state; actor_clocks (the highest clock of each actor) where the thread has at most 10000 records.",
        "content": {"application/json": {"schema": {"allOf": [{"$ref": "#/components/schemas/Thread"}, {"type": "object",
          "properties": {"actor_clocks": {"type": "object", "additionalProperties": {"type": "integer"}}}}]}}}},
      "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/portability/export": {"post": {"summary": "The whole instance as a bundle. Scope admin.",
    "parameters": [{"name": "spl-commit", "in": "header", "schema": {"const": "client"},
      "description": "The client says with /v1/portability/export/commit, on the same connection and within ten minutes, that the bundle is durable. Without it the export counts as the last one once its last byte is sent."}],
    "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": false, "properties": {
      "uncompressed": {"type": "boolean"}, "no_identity": {"type": "boolean"}, "carry_tokens": {"type": "boolean"}, "move": {"type": "boolean"},
      "plaintext": {"type": "boolean"}, "recipients": {"type": "array", "items": {"type": "string"}},
      "passphrase": {"type": "string", "description": "at the Unix socket only"},
      "passphrase_base64": {"type": "string", "description": "the same, for any octets"},
      "spool_directory": {"type": "string", "description": "at the Unix socket only"}}}}}},
    "responses": {
      "200": {"description": "The bundle. The header spl-report is a JSON object that describes it. A body that does not end well is no bundle.",
        "content": {"application/octet-stream": {}}},
      "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/portability/export/commit": {"post": {"summary": "Says that the bundle which this connection has received is durable. Scope admin.",
    "responses": {"200": {"description": "Noted.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/portability/import": {"post": {"summary": "A bundle into this instance: all of it or nothing. Scope admin.",
    "parameters": [
      {"name": "dry_run", "in": "query", "schema": {"type": "boolean"}},
      {"name": "force_overwrite", "in": "query", "schema": {"type": "boolean"}},
      {"name": "adopt_identity", "in": "query", "schema": {"type": "boolean"}},
      {"name": "allow_older", "in": "query", "schema": {"type": "boolean"}},
      {"name": "expect_did", "in": "query", "schema": {"type": "string"}},
      {"name": "without", "in": "query", "schema": {"type": "string"},
        "description": "services of the bundle that are left out, separated by commas"},
      {"name": "opened", "in": "query", "schema": {"type": "string"},
        "description": "how the bundle was encrypted, where the client has opened it (keys are not sent): none, passphrase, recipients, or recipients:AGE1...:N with the recipient whose key opened it and how many there are"}],
    "requestBody": {"required": true, "content": {"application/octet-stream": {}}},
    "responses": {
      "200": {"description": "The report.", "content": {"application/json": {}}},
      "default": {"description": "Refused; nothing changed. Where the bundle itself verified, preflight has the findings.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
  "/v1/local/status": {"get": {"summary": "The daemon and its instance.", "security": [], "responses": {
    "200": {"description": "Its state.", "content": {"application/json": {}}}}}},
  "/v1/local/emit": {"post": {"summary": "Makes a record.", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["act"], "properties": {
      "act": {"type": "string"}, "text": {"type": "string"}, "thread": {"type": "string"}, "actor": {"type": "string"},
      "body": {"type": ["object", "string"]}, "fulfills": {"type": "array", "items": {"type": "string"}}, "namespace": {"type": "string"}}}}}},
    "responses": {"201": {"description": "Its id and thread.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/move/cancel": {"post": {"summary": "Takes back that the instance has moved.", "security": [],
    "responses": {"200": {"description": "Whether it had.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/identity/generate": {"post": {"summary": "Makes the instance's identity.", "security": [],
    "responses": {"201": {"description": "The identity.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/endorse": {"post": {"summary": "Signs records of reserved threads into effect.", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ids"}}}},
    "responses": {"200": {"description": "The ids of what was written.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ids"}}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/accounts": {"post": {"summary": "Creates a service account.", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["name"], "properties": {
      "name": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}}, "actors": {"type": "array", "items": {"type": "string"}}}}}}},
    "responses": {"201": {"description": "The account.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/accounts/revoke": {"post": {"summary": "Revokes a service account and all its tokens.", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}},
    "responses": {"200": {"description": "Revoked.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/tokens": {"post": {"summary": "Makes a token. It is shown this once.", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["account"], "properties": {
      "account": {"type": "string"}, "environment": {"type": "string"}, "scopes": {"type": "array", "items": {"type": "string"}}, "expires_at": {"type": "string"}}}}}},
    "responses": {"201": {"description": "The token.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/v1/local/tokens/revoke": {"post": {"summary": "Revokes a token, named by its sha256 or a beginning of it.", "security": [],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}}}},
    "responses": {"200": {"description": "Revoked.", "content": {"application/json": {}}}, "default": {"$ref": "#/components/responses/Error"}}}}
},
"components": {
  "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
  "parameters": {"Thread": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "description": "a thread id, percent-encoded; may be empty"}},
  "responses": {"Error": {"description": "What went wrong. The header spl-exit-code is the exit code that the command line gives it.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
  "schemas": {
    "RecordId": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "NewRecord": {"type": "object", "additionalProperties": false, "required": ["act", "actor", "body", "data_type", "parents", "thread"], "properties": {
      "act": {"enum": ["INTEND", "DO", "KNOW", "LEARN", "GET", "PUT", "CALL", "MAP"]}, "actor": {"type": "string"}, "body": {"type": "object"},
      "clock": {"type": "integer", "minimum": 0, "description": "the next of its actor and thread where it is absent"},
      "data_type": {"enum": ["SCALAR", "FORMULA", "DISTRIBUTION", "REFERENCE", "MORPHISM", "VOID"]}, "judged_by": {"type": ["string", "null"]},
      "parents": {"type": "array", "items": {"$ref": "#/components/schemas/RecordId"}}, "thread": {"type": "string"}, "sig": {"type": "string"}}},
    "Record": {"type": "object", "required": ["object", "id", "act", "actor", "body", "clock", "data_type", "parents", "thread"], "properties": {
      "object": {"const": "record"}, "id": {"$ref": "#/components/schemas/RecordId"}, "act": {"type": "string"}, "actor": {"type": "string"},
      "body": {"type": "object"}, "clock": {"type": "integer"}, "data_type": {"type": "string"}, "judged_by": {"type": "string"},
      "parents": {"type": "array", "items": {"$ref": "#/components/schemas/RecordId"}}, "thread": {"type": "string"}, "sig": {"type": "string"}}},
    "Thread": {"type": "object", "required": ["thread", "state", "records", "last_sequence"], "properties": {"thread": {"type": "string"},
      "state": {"enum": ["cancelled", "rejected", "closed", "active", "open", "loose"]}, "records": {"type": "integer"}, "last_sequence": {"type": "integer"}}},
    "Ids": {"type": "object", "required": ["ids"], "properties": {"ids": {"type": "array", "items": {"$ref": "#/components/schemas/RecordId"}}}},
    "Error": {"type": "object", "required": ["object", "code", "message", "hint"], "properties": {"object": {"const": "error"},
      "code": {"type": "string"}, "message": {"type": "string"}, "hint": {"type": "string"}}}
  }
}
}
)json";

}  // namespace

std::string_view openapi_text() {
  return kText;
}

}  // namespace spl::http
