-- Delete a proxy with what belongs to it.
-- KEYS[1] proxy · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's proxies · KEYS[5] the same by name, in lower case
-- KEYS[6] and more that go
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, events, audit}
-- Returns 1 deleted, 0 not found, -1 another revision
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return allowed end

local name = redis.call('HGET', KEYS[1], 'name')
redis.call('ZREM', KEYS[4], change.id)
redis.call('HDEL', KEYS[5], name:lower())
redis.call('UNLINK', KEYS[1], unpack(KEYS, 6))
append_entries(KEYS[2], KEYS[3], change, now())
return 1
