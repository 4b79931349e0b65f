-- Take a share of a tunnel back.
-- KEYS[1] share · KEYS[2] events · KEYS[3] audit · KEYS[4] activity · KEYS[5] the tunnel's shares · KEYS[6] with whom
-- KEYS[7] what the keys of users begin with
-- ARGV[1] JSON {id, ownerField, ownerId, events, audit, noted: [field, value, …]} · ARGV[2] channel · ARGV[3] JSON of the
--         message that tells of it
-- Returns 1 taken back, 0 not found
-- @include now
-- @include outbox
-- @include guard
-- @include tunnel-status
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return 0 end
local news = cjson.decode(ARGV[3])
local user = redis.call('HGET', KEYS[1], 'userId')
if user then
    redis.call('HDEL', KEYS[6], user)
    redis.call('ZREM', KEYS[7] .. user .. ':shared-tunnels', change.ownerId)
    news.userId = user
end
redis.call('ZREM', KEYS[5], change.id)
redis.call('UNLINK', KEYS[1])
append_entries(KEYS[2], KEYS[3], change, now())
note(KEYS[4], 'share_removed', change.noted)
redis.call('PUBLISH', ARGV[2], cjson.encode(news))
return 1
