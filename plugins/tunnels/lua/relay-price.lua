-- What relayed bytes cost: a micro-dollar for each `per` of them that is whole. The hash of what is not paid yet has
-- `tenant`, `user:<id>` and `tunnel:<id>:<its user>`, each in bytes, and `settledAt`: when it was looked at last.
local function price_of(bytes, per)
    return (bytes - bytes % per) / per
end

-- user: '' when nobody knows it any more
local function owe(unpaid, tunnel, user, bytes)
    local names = { 'tenant', 'tunnel:' .. tunnel .. ':' .. user }
    if user ~= '' then names[3] = 'user:' .. user end
    for _, name in ipairs(names) do
        if redis.call('HINCRBY', unpaid, name, string.format('%.0f', bytes)) == 0 then redis.call('HDEL', unpaid, name) end
    end
end
