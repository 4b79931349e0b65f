-- Give a tunnel another token; a link by the old one is to end.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity
-- ARGV[1] JSON {id, ownerField, ownerId, tokenHash, events, audit, userId} · ARGV[2] channel · ARGV[3] message that tells
--         of it
-- Returns {1, {field, value, …}} the whole tunnel, {0} not found
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end

local at = now()
redis.call('HSET', KEYS[1], 'tokenHash', change.tokenHash, 'tokenChangedAt', string.format('%d', at))
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
note(KEYS[4], 'token_changed', { 'userId', change.userId })
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { 1, redis.call('HGETALL', KEYS[1]) }
