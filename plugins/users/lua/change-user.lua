-- Change, delete (softly) or restore a user, with everything that is found by what changes.
-- KEYS[1] user · KEYS[2] users by e-mail · KEYS[3] search terms · KEYS[4] active admins · KEYS[5] events · KEYS[6] audit
-- then, of a deletion, what is destroyed at once
-- ARGV[1] JSON {kind: update | delete | restore, id, revision?, set: [field, value, …], remove: [field, …], email?, role?,
--               isActive?: '0' | '1', terms?: {email?: [term, …], displayName?: [term, …]}, lifetime, events, audit}
-- Returns {1, {field, value, …}} the whole user, {0} not found, {-1} another revision, {-2} the e-mail is taken,
--         {-3} the last active admin, {-4} deleted, {-5} not deleted or not restorable any more
-- @include now
-- @include outbox
-- @include guard
-- @include terms
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end
local email, role, was_active, deleted, password =
    unpack(redis.call('HMGET', KEYS[1], 'email', 'role', 'isActive', 'deletedAt', 'passwordHash'))
local at = now()
if change.kind == 'restore' then
    if not deleted or at >= deleted + change.lifetime then return { -5 } end
elseif deleted then
    return { -4 }
end

if change.email then
    local holder = redis.call('HGET', KEYS[2], change.email)
    if holder and holder ~= change.id then return { -2 } end
end

role = change.role or role
local active = change.isActive or was_active
local is_admin = active == '1' and password and (role == 'admin' or role == 'superadmin')
local was_admin = redis.call('ZSCORE', KEYS[4], change.id)
if was_admin and not is_admin then
    if redis.call('ZCARD', KEYS[4]) == 1 then return { -3 } end
    redis.call('ZREM', KEYS[4], change.id)
elseif is_admin then
    redis.call('ZADD', KEYS[4], 0, change.id)
end

if change.email and change.email ~= email then
    redis.call('HDEL', KEYS[2], email)
    redis.call('HSET', KEYS[2], change.email, change.id)
end
if change.terms then change_terms(KEYS[1], KEYS[3], change.id, change.terms) end

local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'updatedAt', time, 'isActive', active, unpack(change.set))
redis.call('HINCRBY', KEYS[1], 'revision', 1)
if #change.remove > 0 then redis.call('HDEL', KEYS[1], unpack(change.remove)) end
-- A session that began in this very millisecond is over as well.
if was_active == '1' and active ~= '1' then redis.call('HSET', KEYS[1], 'epoch', string.format('%d', at + 1)) end
if change.kind == 'delete' then
    redis.call('HSET', KEYS[1], 'deletedAt', time, 'epoch', string.format('%d', at + 1))
    redis.call('HDEL', KEYS[1], 'providerKeys')
    for n = 7, #KEYS do redis.call('UNLINK', KEYS[n]) end
elseif change.kind == 'restore' then
    redis.call('HDEL', KEYS[1], 'deletedAt')
end
append_entries(KEYS[5], KEYS[6], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
