-- Add an endpoint or a share to a tunnel, unless it has as many as there may be.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] the new record · KEYS[6] the tunnel's records
-- of that kind · of a share with a user: KEYS[7] with whom the tunnel is shared · KEYS[8] what is shared with the user
-- ARGV[1] JSON {tunnel: {id, ownerField, ownerId}, id, fields: [field, value, …], most, lifetimeMs?, sharedWith?, access?,
--               note, noted: [field, value, …], events, audit} · of an endpoint: ARGV[2] channel · ARGV[3] message that tells
--         of it
-- Returns {1, time} added, {0} there is no such tunnel, {-1} there are as many as there may be, {-2} it is shared with that
-- user
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change.tunnel) ~= 1 then return { 0 } end
if change.sharedWith and redis.call('HEXISTS', KEYS[7], change.sharedWith) == 1 then return { -2 } end
if redis.call('ZCARD', KEYS[6]) >= change.most then
    -- Those that have expired leave their places.
    local prefix = KEYS[5]:sub(1, -#change.id - 1)
    for _, id in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
        if redis.call('EXISTS', prefix .. id) == 0 then redis.call('ZREM', KEYS[6], id) end
    end
    if redis.call('ZCARD', KEYS[6]) >= change.most then return { -1 } end
end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[5], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time,
    unpack(change.fields))
redis.call('ZADD', KEYS[6], time, change.id)
if change.lifetimeMs then
    redis.call('HSET', KEYS[5], 'expiresAt', string.format('%d', at + change.lifetimeMs))
    redis.call('PEXPIREAT', KEYS[5], string.format('%d', at + change.lifetimeMs))
end
if change.sharedWith then
    redis.call('HSET', KEYS[7], change.sharedWith, change.access .. ':' .. change.id)
    redis.call('ZADD', KEYS[8], time, change.tunnel.id)
end
append_entries(KEYS[2], KEYS[3], change, at)
note(KEYS[4], change.note, change.noted)
if ARGV[2] then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return { 1, at }
