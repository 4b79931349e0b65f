-- Remove an endpoint of a tunnel, with how it was.
-- KEYS[1] endpoint · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] health · KEYS[6] the tunnel's endpoints
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, events, audit, noted: [field, value, …]}
-- ARGV[2] channel · ARGV[3] message that tells of it
-- Returns {1, {field, value, …}} what it was, {0} not found, {-1} another revision
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local endpoint = redis.call('HGETALL', KEYS[1])
redis.call('UNLINK', KEYS[1])
redis.call('HDEL', KEYS[5], change.id)
redis.call('ZREM', KEYS[6], change.id)
append_entries(KEYS[2], KEYS[3], change, now())
note(KEYS[4], 'endpoint_removed', change.noted)
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { 1, endpoint }
