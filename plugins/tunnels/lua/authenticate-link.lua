-- Read a tunnel whose tenant and owner are in standing.
-- KEYS[1] tunnel · KEYS[2] tenant · KEYS[3] what the keys of users begin with
-- Returns {field, value, …}, empty when there is no such tunnel
local tunnel = redis.call('HGETALL', KEYS[1])
if #tunnel == 0 or redis.call('HGET', KEYS[2], 'status') ~= 'active' then return {} end
local owner = redis.call('HGET', KEYS[1], 'userId')
if redis.call('HGET', KEYS[3] .. owner, 'isActive') ~= '1' then return {} end
return tunnel
