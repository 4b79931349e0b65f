-- Read what keys hold, all at one moment.
-- KEYS[1] without which there is nothing to read · then more of the same record
-- Returns {key, {type, content, last id of a stream?} or {}, key, …}, or {}
-- @include dump
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local values = {}
for _, key in ipairs(KEYS) do
    values[#values + 1] = key
    values[#values + 1] = dump(key)
end
return values
