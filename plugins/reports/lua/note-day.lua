-- Note up to which day the platform has what a tenant has come to; it is read from there on.
-- KEYS[1] reports of the tenant
-- ARGV[1] day · ARGV[2] the day that stood there when it was read, -1 for none
-- Returns 1 noted, 0 another one stands there by now, or the tenant is gone
local known = redis.call('HGET', KEYS[1], 'day')
if redis.call('EXISTS', KEYS[1]) == 0 or (known or '-1') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'day', ARGV[1])
return 1
