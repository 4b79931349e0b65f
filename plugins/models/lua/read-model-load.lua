-- Read what is known of a model that is loaded before it answers, with its last load.
-- KEYS[1] model · KEYS[2] leases · KEYS[3] what the job keys begin with
-- Returns {{field, value, …} of the model, the same of the load, 1 the lease of that is over | 0}
-- @include now
local job_id = redis.call('HGET', KEYS[1], 'jobId') or ''
local expiry = redis.call('ZSCORE', KEYS[2], job_id)
local is_over = (not expiry or tonumber(expiry) <= now()) and 1 or 0
return { redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[3] .. job_id), is_over }
