-- Read an API key of a user that is about to be used, and note its use.
-- KEYS[1] the user's keys · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {name, events, audit}
-- Returns the sealed key, nil where there is none: nothing is noted then
-- @include now
-- @include outbox
-- The use of a key is noted once a minute.
local NOTE_USE_EVERY = 60000

local use = cjson.decode(ARGV[1])
local used_field = use.name .. ':used'
local sealed, used = unpack(redis.call('HMGET', KEYS[1], use.name, used_field))
if not sealed then return nil end

local at = now()
if at - tonumber(used or 0) >= NOTE_USE_EVERY then
    redis.call('HSET', KEYS[1], used_field, string.format('%d', at))
end
append_entries(KEYS[2], KEYS[3], use, at)
return sealed
