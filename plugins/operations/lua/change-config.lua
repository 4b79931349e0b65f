-- Change the platform's configuration, and wake all processes.
-- KEYS[1] config · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {revision: as it was read, '0' of none, set: [field, value, …], remove: [field, …], events, audit}
-- ARGV[2] channel
-- Returns {1, {field, value, …}} the whole of it, {-1} another revision
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
if (redis.call('HGET', KEYS[1], 'revision') or '0') ~= change.revision then return { -1 } end

local at = now()
redis.call('HSET', KEYS[1], 'updatedAt', string.format('%d', at), unpack(change.set))
if #change.remove > 0 then redis.call('HDEL', KEYS[1], unpack(change.remove)) end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
append_entries(KEYS[2], KEYS[3], change, at)
redis.call('PUBLISH', ARGV[2], '')
return { 1, redis.call('HGETALL', KEYS[1]) }
