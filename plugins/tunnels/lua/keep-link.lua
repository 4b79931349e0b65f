-- Whether a link is to go on: it is the tunnel's, by its token of now, and tenant and owner are in standing. One that was
-- given up as lost is the tunnel's again, if no other has come and nobody has stopped it.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] tenant · KEYS[6] what the keys of users begin
--         with · KEYS[7] links, by until when they count as alive
-- ARGV[1] connection id · ARGV[2] hash of the token it came with · ARGV[3] for how long that holds, in ms
-- Returns 1 it is, 0 it is not
-- @include now
-- @include outbox
-- @include tunnel-status
local fields = { 'id', 'connectionId', 'lostId', 'tokenHash', 'userId', 'desired', 'agent' }
local id, connection, lost, token, owner, desired, agent = unpack(redis.call('HMGET', KEYS[1], unpack(fields)))
local is_back = not connection and lost == ARGV[1] and desired == 'running'
if not (connection == ARGV[1] or is_back) or token ~= ARGV[2] then return 0 end
if redis.call('HGET', KEYS[5], 'status') ~= 'active' then return 0 end
if redis.call('HGET', KEYS[6] .. owner, 'isActive') ~= '1' then return 0 end
local at = now()
if is_back then
    redis.call('HSET', KEYS[1], 'connectionId', ARGV[1])
    redis.call('HDEL', KEYS[1], 'lostId', 'reason')
    become(KEYS, 'connected', { 'agent', agent }, at)
    touch(KEYS[1], at)
end
local until_ = string.format('%d', at + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'linkUntil', until_)
redis.call('ZADD', KEYS[7], until_, id)
return 1
