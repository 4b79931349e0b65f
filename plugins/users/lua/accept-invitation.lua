-- Accept an invitation, once: the user gets a password, and counts as an admin if that is the role.
-- KEYS[1] user · KEYS[2] invitation · KEYS[3] search terms · KEYS[4] active admins · KEYS[5] events · KEYS[6] audit
-- ARGV[1] JSON {id, hash, passwordHash, displayName?, terms?: [term, …], events, audit}
-- Returns {1, {field, value, …}} the user, {0} the invitation is not, or no longer, valid
-- @include now
-- @include outbox
-- @include terms
local change = cjson.decode(ARGV[1])
local hash, expires = unpack(redis.call('HMGET', KEYS[2], 'hash', 'expiresAt'))
local at = now()
if hash ~= change.hash or at >= tonumber(expires) then return { 0 } end
local active, role = unpack(redis.call('HMGET', KEYS[1], 'isActive', 'role'))
if active ~= '1' then return { 0 } end

redis.call('UNLINK', KEYS[2])
redis.call('HSET', KEYS[1], 'passwordHash', change.passwordHash, 'updatedAt', string.format('%d', at))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if change.displayName then
    redis.call('HSET', KEYS[1], 'displayName', change.displayName)
    change_terms(KEYS[1], KEYS[3], change.id, { displayName = change.terms })
end
if role == 'admin' or role == 'superadmin' then redis.call('ZADD', KEYS[4], 0, change.id) end
append_entries(KEYS[5], KEYS[6], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
