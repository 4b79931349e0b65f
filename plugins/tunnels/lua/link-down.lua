-- A link of a tunnel is gone; nothing changes when it is not the tunnel's link.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] links, by until when they
--         count as alive
-- ARGV[1] connection id · ARGV[2] reason · ARGV[3] the status it leads to
-- Returns 1 noted, 0 not the tunnel's link
-- @include now
-- @include outbox
-- @include tunnel-status
if redis.call('HGET', KEYS[1], 'connectionId') ~= ARGV[1] then return 0 end
local at = now()
redis.call('HDEL', KEYS[1], 'connectionId', 'linkUntil')
redis.call('ZREM', KEYS[5], redis.call('HGET', KEYS[1], 'id'))
redis.call('HSET', KEYS[1], 'disconnectedAt', string.format('%d', at), 'reason', ARGV[2])
become(KEYS, ARGV[3], { 'reason', ARGV[2] }, at)
touch(KEYS[1], at)
return 1
