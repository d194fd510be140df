_sockstat() {
    local line=${COMP_LINE:0:COMP_POINT} words value help
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    # Readline replaces only what follows the last ':' or '='.
    local current=${words[-1]}
    local kept=${current%"${current##*[:=]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r value help; do
        COMPREPLY+=("${value#"$kept"}")
    done < <(sockstat completions --values -- "${words[@]}" 2>/dev/null)
}

complete -o default -F _sockstat sockstat
