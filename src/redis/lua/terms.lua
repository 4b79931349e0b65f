-- Gives a record other search terms, by the field they come from; those of other fields stay.
local function change_terms(key, index, id, changes)
    local terms = cjson.decode(redis.call('HGET', key, 'terms') or '{}')
    for field, list in pairs(changes) do
        -- A term of the one field may be one of the other.
        for _, term in ipairs(terms[field] or {}) do redis.call('ZREM', index, term .. '\0' .. id) end
        terms[field] = list
    end
    for _, list in pairs(terms) do
        for _, term in ipairs(list) do redis.call('ZADD', index, 0, term .. '\0' .. id) end
    end
    redis.call('HSET', key, 'terms', cjson.encode(terms))
end

-- Removes a key that has nothing but the terms of a record, with what is found by them.
local function remove_terms(key, index, id)
    for _, list in pairs(cjson.decode(redis.call('HGET', key, 'terms') or '{}')) do
        for _, term in ipairs(list) do redis.call('ZREM', index, term .. '\0' .. id) end
    end
    redis.call('UNLINK', key)
end
