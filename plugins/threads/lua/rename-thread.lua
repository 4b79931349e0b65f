-- Give a thread another title, and the terms it is found by.
-- KEYS[1] thread · KEYS[2] events · KEYS[3] audit · KEYS[4] its terms · KEYS[5] the owner's threads by term
-- KEYS[6] the owner's threads by update
-- ARGV[1] JSON {id, ownerField, ownerId, revision?, title, terms: {title: [word, …]}, events, audit}
-- Returns {1, {field, value, …}} the whole thread, {0} not found, {-1} another revision
-- @include now
-- @include outbox
-- @include guard
-- @include terms
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return { allowed } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'title', change.title, 'updatedAt', time)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('ZADD', KEYS[6], time, change.id)
change_terms(KEYS[4], KEYS[5], change.id, change.terms)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
