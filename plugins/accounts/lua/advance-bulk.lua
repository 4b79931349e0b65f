-- Begin a bulk change, or note the result of its next item, once: whoever comes later with the same item changes nothing.
-- KEYS[1] bulk change · KEYS[2] failures (hash of item → code)
-- ARGV[1] item, from 0 on, or '' to begin · ARGV[2] code of its failure, or '' · ARGV[3] when it is forgotten (ms)
-- Returns the item to do next, or -1 when the bulk change is not there or completed
-- @include now
local state, next_item, total = unpack(redis.call('HMGET', KEYS[1], 'state', 'next', 'total'))
if not state or state == 'completed' then return -1 end
local time = string.format('%d', now())
if state == 'queued' then redis.call('HSET', KEYS[1], 'state', 'running', 'startedAt', time) end
if ARGV[1] ~= next_item then return tonumber(next_item) end

if ARGV[2] == '' then
    redis.call('HINCRBY', KEYS[1], 'done', 1)
else
    redis.call('HINCRBY', KEYS[1], 'failed', 1)
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
    redis.call('PEXPIREAT', KEYS[2], ARGV[3])
end
local following = redis.call('HINCRBY', KEYS[1], 'next', 1)
redis.call('HSET', KEYS[1], 'updatedAt', time)
if following < tonumber(total) then return following end
redis.call('HSET', KEYS[1], 'state', 'completed', 'finishedAt', time)
return -1
