-- Note the links of a tenant that nobody has kept: the process that held them is gone. A link that is kept again after all
-- comes back by `keep-link.lua`.
-- KEYS[1] links, by until when they count as alive · KEYS[2] events · KEYS[3] audit · KEYS[4] what the keys of tunnels begin
--         with: the same tenant, the same slot
-- ARGV[1] how many links
-- Returns {how many were due, how many links there are}
-- @include now
-- @include outbox
-- @include tunnel-status
local at = now()
local time = string.format('%d', at)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(due) do
    redis.call('ZREM', KEYS[1], id)
    local tunnel = KEYS[4] .. id
    local connection, status = unpack(redis.call('HMGET', tunnel, 'connectionId', 'status'))
    if connection and status == 'connected' then
        redis.call('HDEL', tunnel, 'connectionId', 'linkUntil')
        redis.call('HSET', tunnel, 'lostId', connection, 'disconnectedAt', time, 'reason', 'lost')
        become({ tunnel, KEYS[2], KEYS[3], tunnel .. ':activity' }, 'disconnected', { 'reason', 'lost' }, at)
        touch(tunnel, at)
    end
end
return { #due, redis.call('ZCARD', KEYS[1]) }
