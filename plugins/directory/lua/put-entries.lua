-- Put accounts of a tenant into the directory as they were read, or take those out that were not there any more. An entry
-- that was read later, by a higher ticket, stays. Of a purged tenant everything is only taken out.
-- KEYS[1] the tenant's entries (hash of JSON) · KEYS[2] the tenant is purged · KEYS[3] what the keys of the indexes begin with
-- ARGV[1] ticket · ARGV[2] JSON list of {account, member, index, and of one that exists at (ms), terms: [term, …],
--                  facets: [facet, …]}
local is_purged = redis.call('EXISTS', KEYS[2]) == 1
local ticket = tonumber(ARGV[1])

local function keys_of(entry, facet)
    local begin = table.concat({ KEYS[3], entry.index, facet }, ':')
    return begin .. ':order', begin .. ':terms'
end

local function each_term(entry, act)
    for _, facet in ipairs(entry.facets) do
        local order, terms = keys_of(entry, facet)
        act(order, terms)
    end
end

local function take_out(entry)
    each_term(entry, function(order, terms)
        redis.call('ZREM', order, entry.member)
        for _, term in ipairs(entry.terms) do redis.call('ZREM', terms, term .. '\0' .. entry.member) end
    end)
end

local function put_in(entry)
    each_term(entry, function(order, terms)
        redis.call('ZADD', order, string.format('%d', entry.at), entry.member)
        for _, term in ipairs(entry.terms) do redis.call('ZADD', terms, 0, term .. '\0' .. entry.member) end
    end)
end

for _, entry in ipairs(cjson.decode(ARGV[2])) do
    local text = redis.call('HGET', KEYS[1], entry.account)
    local former = text and cjson.decode(text)
    if is_purged or not former or former.ticket <= ticket then
        if former then take_out(former) end
        if entry.at and not is_purged then
            put_in(entry)
            entry.ticket = ticket
            redis.call('HSET', KEYS[1], entry.account, cjson.encode(entry))
        else
            redis.call('HDEL', KEYS[1], entry.account)
        end
    end
end
return 1
