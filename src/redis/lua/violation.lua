-- Refusals for a limit, in bounded keys: by day a hash of counts by kind, and the newest ones with who was refused.
-- `key` is that list; the hashes are `<key>:<days since the epoch>`, in the same slot.
local VIOLATIONS_KEPT, VIOLATION_LIFETIME = 100, 31 * 24 * 3600

local function count_violation(key, violation, at)
    local day = key .. ':' .. string.format('%d', math.floor(at / 86400000))
    violation.at = at
    redis.call('HINCRBY', day, violation.kind, 1)
    redis.call('EXPIRE', day, VIOLATION_LIFETIME)
    redis.call('LPUSH', key, cjson.encode(violation))
    redis.call('LTRIM', key, 0, VIOLATIONS_KEPT - 1)
    redis.call('EXPIRE', key, VIOLATION_LIFETIME)
end
