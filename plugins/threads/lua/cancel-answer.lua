-- Ask the process that writes an answer to cancel it.
-- KEYS[1] answer
-- ARGV[1] owner of the thread · ARGV[2] thread · ARGV[3] model · ARGV[4] what channels of processes begin with
-- ARGV[5] id of the message
-- Returns 1 asked, 0 no such answer, -1 it has ended
local user, thread, model, state, owner =
    unpack(redis.call('HMGET', KEYS[1], 'userId', 'threadId', 'modelId', 'state', 'owner'))
if user ~= ARGV[1] or thread ~= ARGV[2] or model ~= ARGV[3] then return 0 end
if state == 'ended' then return -1 end
redis.call('HSET', KEYS[1], 'state', 'cancelling')
redis.call('PUBLISH', ARGV[4] .. owner, ARGV[5])
return 1
