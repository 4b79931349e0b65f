-- Revoke a service API key, and remember that for as long as a backup may have it.
-- KEYS[1] key · KEYS[2] the user's keys · KEYS[3] keys that were revoked · KEYS[4] events · KEYS[5] audit
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, known, events, audit}; `known` in ms
-- Returns 1 revoked, 0 not found, -1 another revision
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return allowed end
local at = now()
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[2], change.id)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%d', at - change.known))
redis.call('ZADD', KEYS[3], string.format('%d', at), change.id)
append_entries(KEYS[4], KEYS[5], change, at)
return 1
