-- Delete a tunnel with its endpoints, shares, health, activity and figures.
-- KEYS[1] tunnel · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's tunnels · KEYS[5] the same by name, in lower case
-- KEYS[6] endpoints of the tunnel · KEYS[7] its shares · KEYS[8] with whom · what begin the keys of: KEYS[9] endpoints,
-- KEYS[10] shares, KEYS[11] users, KEYS[12] the tunnel's days · KEYS[13] and more that go
-- ARGV[1] JSON {id, ownerField?, ownerId?, revision?, days, events, audit} · ARGV[2] channel · ARGV[3] message that tells
--         of it
-- Returns 1 deleted, 0 not found, -1 another revision
-- @include now
-- @include calendar
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return allowed end

local at = now()
local name = redis.call('HGET', KEYS[1], 'name')
redis.call('ZREM', KEYS[4], change.id)
redis.call('HDEL', KEYS[5], name:lower())
for _, id in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do redis.call('UNLINK', KEYS[9] .. id) end
for _, id in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do redis.call('UNLINK', KEYS[10] .. id) end
for _, user in ipairs(redis.call('HKEYS', KEYS[8])) do
    redis.call('ZREM', KEYS[11] .. user .. ':shared-tunnels', change.id)
end
local today = math.floor(at / DAY_MS)
for day = today - change.days, today do redis.call('UNLINK', KEYS[12] .. date_of(day)) end
redis.call('UNLINK', KEYS[1], KEYS[6], KEYS[7], KEYS[8], unpack(KEYS, 13))
append_entries(KEYS[2], KEYS[3], change, at)
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
