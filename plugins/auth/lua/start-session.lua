-- Begin a session of a user whose password was verified, unless the password has changed since.
-- KEYS[1] session · KEYS[2] user · KEYS[3] the user's sessions · KEYS[4] events · KEYS[5] audit
-- ARGV[1] session id · ARGV[2] the hash that was verified · ARGV[3] the same password hashed anew, or ''
-- ARGV[4] expiry in milliseconds since the epoch · ARGV[5] JSON {fields: [field, value, …], events, audit}
-- Returns 1 begun, 0 the hash is another
-- @include now
-- @include outbox
if redis.call('HGET', KEYS[2], 'passwordHash') ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], 'passwordHash', ARGV[3]) end
local at = now()
local time = string.format('%d', at)
local session = cjson.decode(ARGV[5])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(session.fields))
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', time)
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
append_entries(KEYS[4], KEYS[5], session, at)
return 1
