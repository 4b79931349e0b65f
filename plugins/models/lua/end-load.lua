-- End a load: its last event goes into its log. Others are told afterwards, in another slot: until then the lease stays,
-- so that somebody does that even if this process dies.
-- KEYS[1] job · KEYS[2] its events (stream) · KEYS[3] leases · KEYS[4] model
-- ARGV[1] JSON {jobId, state: loaded | error, fields: [field, value, …], loadMs?} · ARGV[2] lease in ms
-- ARGV[3] milliseconds that the log is kept for those who resume · ARGV[4] channel of those who follow it
-- ARGV[5] its last event as JSON
-- Returns 1 ended, 0 it has ended before
-- @include now
if redis.call('HGET', KEYS[1], 'state') ~= 'loading' then return 0 end
local ending, at = cjson.decode(ARGV[1]), now()
redis.call('XADD', KEYS[2], string.format('%d-0', redis.call('XLEN', KEYS[2]) + 1), 'e', ARGV[5])
redis.call('HSET', KEYS[1], 'state', ending.state, unpack(ending.fields))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], string.format('%d', at + ARGV[2]), ending.jobId)
-- Without a duration the model was there already.
if ending.loadMs then
    redis.call('HSET', KEYS[4], 'loadedAt', string.format('%d', at), 'loadMs', string.format('%d', ending.loadMs))
end
redis.call('PUBLISH', ARGV[4], '')
return 1
