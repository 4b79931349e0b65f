-- Begin to load a model, unless somebody is about it.
-- KEYS[1] model · KEYS[2] leases (zset of job ids by expiry) · KEYS[3] what the job keys begin with
-- ARGV[1] JSON {jobId, job: [field, value, …]} · ARGV[2] lease in ms · ARGV[3] lifetime of a job nobody ends, in ms
-- Returns {1, job id} begun, {0, job id} that one runs, {-1, job id} that one runs and its lease is over
-- @include now
local begun, at = cjson.decode(ARGV[1]), now()
local running = redis.call('HGET', KEYS[1], 'jobId')
if running and redis.call('HGET', KEYS[3] .. running, 'state') == 'loading' then
    local expiry = redis.call('ZSCORE', KEYS[2], running)
    return { expiry and tonumber(expiry) > at and 0 or -1, running }
end

local key = KEYS[3] .. begun.jobId
redis.call('HSET', key, 'state', 'loading', 'startedAt', string.format('%d', at), unpack(begun.job))
redis.call('PEXPIRE', key, ARGV[3])
redis.call('HSET', KEYS[1], 'jobId', begun.jobId)
redis.call('ZADD', KEYS[2], string.format('%d', at + ARGV[2]), begun.jobId)
return { 1, begun.jobId }
