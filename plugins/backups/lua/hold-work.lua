-- Take or keep the lease on a backup or restore that is worked on, and note how far it is.
-- KEYS[1] backup or restore
-- ARGV[1] holder · ARGV[2] lease in ms · ARGV[3] JSON {states that are worked on: true} · ARGV[4] field · ARGV[5] value, or
-- two empty strings
-- Returns {1, {field, value, …}} the whole record, {0} there is nothing to do, {-1} another process has the lease
-- @include now
local state, holder, held_until = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder', 'heldUntil'))
if not state or not cjson.decode(ARGV[3])[state] then return { 0 } end
local at = now()
if holder and holder ~= ARGV[1] and tonumber(held_until) > at then return { -1 } end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'heldUntil', string.format('%d', at + ARGV[2]))
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], ARGV[4], ARGV[5]) end
return { 1, redis.call('HGETALL', KEYS[1]) }
