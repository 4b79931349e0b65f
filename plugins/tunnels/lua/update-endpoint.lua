-- Change an endpoint of a tunnel; how it was at another address is forgotten.
-- KEYS[1] endpoint · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] health
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, set: [field, value, …], events, audit, noted: [field, value, …]}
-- ARGV[2] channel · ARGV[3] message that tells of it
-- Returns {1, {field, value, …}} the whole endpoint, {0} not found, {-1} another revision
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local at = now()
local url = redis.call('HGET', KEYS[1], 'url')
redis.call('HSET', KEYS[1], unpack(change.set))
if redis.call('HGET', KEYS[1], 'url') ~= url then redis.call('HDEL', KEYS[5], change.id) end
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
note(KEYS[4], 'endpoint_changed', change.noted)
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { 1, redis.call('HGETALL', KEYS[1]) }
