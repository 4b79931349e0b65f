-- Take no link of a tunnel from now on, and end the one there is.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity
-- ARGV[1] JSON {id, ownerField, ownerId, events, audit, userId} · ARGV[2] channel · ARGV[3] message that tells of it
-- Returns {1, {field, value, …}} the whole tunnel, {0} not found, {-2, status} it is not running
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end
local status, desired, connection = unpack(redis.call('HMGET', KEYS[1], 'status', 'desired', 'connectionId'))
if desired ~= 'running' then return { -2, status } end

local at = now()
redis.call('HSET', KEYS[1], 'desired', 'stopped', 'reason', 'stopped')
if connection then redis.call('HSET', KEYS[1], 'disconnectedAt', string.format('%d', at)) end
redis.call('HDEL', KEYS[1], 'connectionId', 'linkUntil')
become(KEYS, 'disconnected', { 'userId', change.userId, 'reason', 'stopped' }, at)
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], change, at)
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { 1, redis.call('HGETALL', KEYS[1]) }
