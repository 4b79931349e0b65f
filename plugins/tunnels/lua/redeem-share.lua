-- Use a share's token.
-- KEYS[1] tunnel · KEYS[2] share · KEYS[3] tenant · KEYS[4] what the keys of users begin with
-- ARGV[1] tunnel id · ARGV[2] hash of the token
-- Returns {field, value, …} of the tunnel, empty when the token opens nothing (any more)
-- @include now
local fields = { 'tunnelId', 'tokenHash', 'expiresAt', 'maxUses', 'uses' }
local tunnel, token, expires, most, uses = unpack(redis.call('HMGET', KEYS[2], unpack(fields)))
if tunnel ~= ARGV[1] or not token or token ~= ARGV[2] then return {} end
local at = now()
if tonumber(expires) <= at then return {} end
if most and tonumber(uses) >= tonumber(most) then return {} end
if redis.call('HGET', KEYS[3], 'status') ~= 'active' then return {} end
local owner = redis.call('HGET', KEYS[1], 'userId')
if not owner or redis.call('HGET', KEYS[4] .. owner, 'isActive') ~= '1' then return {} end
redis.call('HINCRBY', KEYS[2], 'uses', 1)
redis.call('HSET', KEYS[2], 'lastUsedAt', string.format('%d', at))
return redis.call('HGETALL', KEYS[1])
