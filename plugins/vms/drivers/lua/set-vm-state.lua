-- Start or stop a simulated VM; it keeps its address.
-- KEYS[1] VM
-- ARGV[1] running | stopped
-- Returns {state, block, address} as it is now, {} there is none
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
return redis.call('HMGET', KEYS[1], 'state', 'block', 'address')
