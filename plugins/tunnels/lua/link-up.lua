-- A link of a tunnel is there. To be told again changes nothing.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] links, by until when they
--         count as alive
-- ARGV[1] connection id · ARGV[2] epoch · ARGV[3] how the agent calls itself · ARGV[4] hash of the token it came with, or ''
-- ARGV[5] for how long it counts as alive unless it is kept, in ms
-- Returns 1 connected, 0 there is no such tunnel, -1 it is stopped, -2 there has been a newer link, -3 another token
-- @include now
-- @include outbox
-- @include tunnel-status
local fields = { 'id', 'desired', 'epoch', 'connectionId', 'tokenHash', 'status' }
local id, desired, epoch, connection, token, status = unpack(redis.call('HMGET', KEYS[1], unpack(fields)))
if not desired then return 0 end
if desired ~= 'running' then return -1 end
if ARGV[4] ~= '' and ARGV[4] ~= token then return -3 end
if connection == ARGV[1] and status == 'connected' then return 1 end
if epoch and tonumber(ARGV[2]) <= tonumber(epoch) then return -2 end

local at = now()
redis.call('HSET', KEYS[1], 'connectionId', ARGV[1], 'epoch', ARGV[2], 'agent', ARGV[3],
    'connectedAt', string.format('%d', at))
redis.call('HDEL', KEYS[1], 'reason', 'linkUntil', 'lostId')
redis.call('ZADD', KEYS[5], string.format('%d', at + tonumber(ARGV[5])), id)
if status == 'connected' then note(KEYS[4], 'link_replaced', { 'agent', ARGV[3] }) end
become(KEYS, 'connected', { 'agent', ARGV[3] }, at)
touch(KEYS[1], at)
return 1
