# What every target of Herald's shares: warnings, sanitizers, hardening, and the
# layers. A layer sees its own headers and those of the layers it is linked to, and
# no others: include/<layer> is on the include path of no target that is not above it.

add_library(herald_flags INTERFACE)
target_compile_definitions(herald_flags INTERFACE _GNU_SOURCE HERALD_VERSION="${PROJECT_VERSION}")
target_compile_options(herald_flags INTERFACE
	-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes
	-Wformat=2 -Wcast-qual -Wundef -fno-common -fstack-protector-strong
	$<$<BOOL:${HERALD_WERROR}>:-Werror>)
if(HERALD_SANITIZE)
	target_compile_options(herald_flags INTERFACE
		-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(herald_flags INTERFACE -fsanitize=address,undefined)
else()
	# The same source gives the same program, wherever it is built.
	target_compile_options(herald_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2
		-ffile-prefix-map=${PROJECT_SOURCE_DIR}=/herald -ffile-prefix-map=${PROJECT_BINARY_DIR}=/herald/build>)
endif()
target_link_options(herald_flags INTERFACE -Wl,-z,relro,-z,now)

# herald_layer(NAME SOURCES... [BELOW layers... ] [LIBS targets...])
# Headers of layer x are include/herald/x and are included as "herald/x/y.h".
function(herald_layer name)
	cmake_parse_arguments(L "" "" "SOURCES;BELOW;LIBS" ${ARGN})
	add_library(herald_${name} STATIC ${L_SOURCES})
	target_include_directories(herald_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
	target_link_libraries(herald_${name} PRIVATE herald_flags)
	foreach(below IN LISTS L_BELOW)
		target_link_libraries(herald_${name} PUBLIC herald_${below})
	endforeach()
	target_link_libraries(herald_${name} PUBLIC ${L_LIBS})
endfunction()

# herald_unit_test(NAME SOURCES... [LIBS targets...]): a cmocka program run by ctest.
# A pure room's test lists the .c files it links; that list is the proof of its purity.
function(herald_unit_test name)
	cmake_parse_arguments(T "" "" "SOURCES;LIBS" ${ARGN})
	add_executable(${name} ${T_SOURCES})
	target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
	target_link_libraries(${name} PRIVATE herald_flags PkgConfig::CMOCKA ${T_LIBS})
	add_test(NAME ${name} COMMAND ${name})
	set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()

# herald_fuzzer(NAME SOURCES... [LIBS targets...]): with clang a libFuzzer binary, with
# gcc the same entry point run over the seeds, so that every crash found stays a test.
function(herald_fuzzer name)
	cmake_parse_arguments(F "" "" "SOURCES;LIBS" ${ARGN})
	add_executable(${name} ${F_SOURCES})
	target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include)
	target_link_libraries(${name} PRIVATE herald_flags ${F_LIBS})
	if(HERALD_FUZZ)
		target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
		target_link_options(${name} PRIVATE -fsanitize=fuzzer)
	else()
		target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/run_seeds.c)
	endif()
	add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name})
	if(HERALD_FUZZ)
		set_tests_properties(${name} PROPERTIES ENVIRONMENT "" )
	endif()
endfunction()
