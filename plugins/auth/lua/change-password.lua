-- Give a user another password: every other session ends, and no reset token is good any more.
-- KEYS[1] user · KEYS[2] the user's sessions · KEYS[3] what session keys begin with · KEYS[4] the user's reset tokens
-- KEYS[5] events · KEYS[6] audit
-- ARGV[1] the hash it replaces, or '' · ARGV[2] the digest of a reset token, or '' · ARGV[3] the new hash
-- ARGV[4] the session to keep, or '' · ARGV[5] JSON {sessions: {userId, audit}, events, audit}
-- Returns the number of sessions ended, or -1 where the user is not active, the hash is another or the token is not good
-- @include now
-- @include outbox
-- @include end-sessions
local at = now()
local active, hash = unpack(redis.call('HMGET', KEYS[1], 'isActive', 'passwordHash'))
if active ~= '1' then return -1 end
if ARGV[1] ~= '' and hash ~= ARGV[1] then return -1 end
if ARGV[2] ~= '' and tonumber(redis.call('ZSCORE', KEYS[4], ARGV[2]) or 0) <= at then return -1 end

local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'passwordHash', ARGV[3], 'updatedAt', time)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('UNLINK', KEYS[4])
-- A session that is just being refreshed or begun elsewhere is over as well.
if ARGV[4] == '' then redis.call('HSET', KEYS[1], 'epoch', time) end

local change = cjson.decode(ARGV[5])
append_entries(KEYS[5], KEYS[6], change, at)
local ids = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    if id ~= ARGV[4] then ids[#ids + 1] = id end
end
return end_sessions(KEYS[2], KEYS[3], ids, change.sessions, KEYS[5], KEYS[6], at)
