-- Whether a link is to go on: it is the tunnel's, by its token of now, and tenant and owner are in standing.
-- KEYS[1] tunnel · KEYS[2] tenant · KEYS[3] what the keys of users begin with
-- ARGV[1] connection id · ARGV[2] hash of the token it came with · ARGV[3] for how long that holds, in ms
-- Returns 1 it is, 0 it is not
-- @include now
local connection, token, owner = unpack(redis.call('HMGET', KEYS[1], 'connectionId', 'tokenHash', 'userId'))
if connection ~= ARGV[1] or token ~= ARGV[2] then return 0 end
if redis.call('HGET', KEYS[2], 'status') ~= 'active' then return 0 end
if redis.call('HGET', KEYS[3] .. owner, 'isActive') ~= '1' then return 0 end
redis.call('HSET', KEYS[1], 'linkUntil', string.format('%d', now() + tonumber(ARGV[3])))
return 1
