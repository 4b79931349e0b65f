-- Bring a restore from one step to the next, or to its end.
-- KEYS[1] restore · KEYS[2] events · KEYS[3] audit · KEYS[4] the restore that runs
-- ARGV[1] JSON {id, holder, from, isEnded, lifetime, set: [field, value, …], events, audit}
-- Returns 1 it is there, 0 it was not at that step, or another process has it
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local state, holder = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder'))
if state ~= change.from or holder ~= change.holder then return 0 end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'updatedAt', time, unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if change.isEnded then
    redis.call('HSET', KEYS[1], 'completedAt', time)
    redis.call('HDEL', KEYS[1], 'holder', 'heldUntil')
    redis.call('PEXPIRE', KEYS[1], change.lifetime)
    if redis.call('HGET', KEYS[4], 'id') == change.id then redis.call('DEL', KEYS[4]) end
end
append_entries(KEYS[2], KEYS[3], change, at)
return 1
