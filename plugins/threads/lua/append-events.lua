-- Append what an answer is about to send out to its log.
-- KEYS[1] answer · KEYS[2] its events (stream; the id of an entry is the number of events up to its last one)
-- ARGV[1] the owner · ARGV[2] id of the entry · ARGV[3] JSON [event, …] · ARGV[4] lifetime in milliseconds
-- ARGV[5] channel of those who follow it
-- Returns 1 appended, now or by an earlier try whose answer was lost, 2 the same and it is to be cancelled,
--         0 it was ended by somebody else, -1 it was deleted with its thread
local state, owner = unpack(redis.call('HMGET', KEYS[1], 'state', 'owner'))
if not state then return -1 end
if owner ~= ARGV[1] or state == 'ended' then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if not last or tonumber(last[1]:match('^%d+')) < tonumber(ARGV[2]) then
    redis.call('XADD', KEYS[2], ARGV[2] .. '-0', 'e', ARGV[3])
    if not last then redis.call('PEXPIRE', KEYS[2], ARGV[4]) end
    redis.call('PUBLISH', ARGV[5], '')
end
if state == 'cancelling' then return 2 end
return 1
