-- Change a schedule, and when it fires next.
-- KEYS[1] schedule · KEYS[2] events · KEYS[3] audit · KEYS[4] schedules by their next time
-- ARGV[1] JSON {id, revision, set: [field, value, …], remove: [field, …], next?, events, audit}
-- Returns {1, {field, value, …}} the whole schedule, {0} not found, {-1} another revision
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end
local at = now()
redis.call('HSET', KEYS[1], 'updatedAt', string.format('%d', at), unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if #change.remove > 0 then redis.call('HDEL', KEYS[1], unpack(change.remove)) end
if change.next then redis.call('ZADD', KEYS[4], change.next, change.id) else redis.call('ZREM', KEYS[4], change.id) end
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
