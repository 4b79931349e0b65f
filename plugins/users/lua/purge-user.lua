-- Remove what is left of a user whose time to be restored is over. The record goes last of all that is the user's: while
-- it is there, the purge is not finished.
-- KEYS[1] user · KEYS[2] users by e-mail · KEYS[3] search terms · KEYS[4] active admins · KEYS[5] events · KEYS[6] audit
-- KEYS[7] users by time · KEYS[8] invitation
-- ARGV[1] JSON {id, lifetime, events, audit}
-- Returns 1 purged, 0 it does not exist, is not deleted or can still be restored
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local email, deleted, terms = unpack(redis.call('HMGET', KEYS[1], 'email', 'deletedAt', 'terms'))
local at = now()
if not deleted or at < deleted + change.lifetime then return 0 end
if redis.call('HGET', KEYS[2], email) == change.id then redis.call('HDEL', KEYS[2], email) end
for _, list in pairs(cjson.decode(terms)) do
    for _, term in ipairs(list) do redis.call('ZREM', KEYS[3], term .. '\0' .. change.id) end
end
redis.call('ZREM', KEYS[4], change.id)
redis.call('ZREM', KEYS[7], change.id)
redis.call('UNLINK', KEYS[1], KEYS[8])
append_entries(KEYS[5], KEYS[6], change, at)
return 1
