-- Give a user who has not accepted yet another invitation; the one before is not valid any more.
-- KEYS[1] user · KEYS[2] invitation · KEYS[3] events · KEYS[4] audit
-- ARGV[1] JSON {id, hash, lifetime, events, audit}
-- Returns {1, {field, value, …}} the user, {0} not found, {-1} deleted, {-2} accepted already
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
if guard(KEYS[1], change) ~= 1 then return { 0 } end
local deleted, password = unpack(redis.call('HMGET', KEYS[1], 'deletedAt', 'passwordHash'))
if deleted then return { -1 } end
if password then return { -2 } end

local at = now()
local time, expires = string.format('%d', at), string.format('%d', at + change.lifetime)
redis.call('HSET', KEYS[2], 'id', change.id, 'hash', change.hash, 'expiresAt', expires, 'updatedAt', time)
redis.call('HSETNX', KEYS[2], 'createdAt', time)
redis.call('HINCRBY', KEYS[2], 'revision', 1)
redis.call('PEXPIREAT', KEYS[2], expires)
append_entries(KEYS[3], KEYS[4], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
