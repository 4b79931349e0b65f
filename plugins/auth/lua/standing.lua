-- Look whether a session or an API key still is what it was admitted as, without counting anything.
-- KEYS[1] tenant · KEYS[2] user · KEYS[3] session, or API key · of a session: KEYS[4] revoked token
-- ARGV[1] user id
-- Returns what its permissions follow from, and by which secret; nil when it is over
-- @include now
-- @include epoch
local status, tenant_epoch = unpack(redis.call('HMGET', KEYS[1], 'status', 'epoch'))
local active, role, user_epoch = unpack(redis.call('HMGET', KEYS[2], 'isActive', 'role', 'epoch'))
if status ~= 'active' or active ~= '1' then return false end

if KEYS[4] then
    local user_id, began = unpack(redis.call('HMGET', KEYS[3], 'userId', 'createdAt'))
    if redis.call('EXISTS', KEYS[4]) == 1 or user_id ~= ARGV[1] then return false end
    if is_over(began, tenant_epoch, user_epoch) then return false end
    return role
end
local user_id, hash, scopes, expiry = unpack(redis.call('HMGET', KEYS[3], 'userId', 'hash', 'scopes', 'validUntil'))
if user_id ~= ARGV[1] or (expiry and tonumber(expiry) <= now()) then return false end
return role .. ' ' .. scopes .. ' ' .. hash
