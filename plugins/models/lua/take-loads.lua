-- Take over loads whose lease is over: their process has died, or could not tell others of their end. One process takes
-- each, under a lease of its own.
-- KEYS[1] leases (zset of job ids by expiry)
-- ARGV[1] lease in ms · ARGV[2] how many
-- Returns {job id, …}
-- @include now
local at = now()
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at), 'LIMIT', 0, ARGV[2])
for _, job_id in ipairs(found) do redis.call('ZADD', KEYS[1], string.format('%d', at + ARGV[1]), job_id) end
return found
