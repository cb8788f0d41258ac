/*
 * fuzz_bpe.c
 *	  Any bytes as a text for a byte-level BPE tokenizer, or as a tokenizer.json and a text.
 */
#include "fuzz_tokenizer.h"

static const char own[] =
	"{'added_tokens':[{'id':0,'content':'<s>','special':true,'normalized':true},"
	"{'id':18,'content':'<m>','special':false,'normalized':false,'lstrip':true}],"
	"'pre_tokenizer':{'type':'ByteLevel','add_prefix_space':true,'use_regex':true},"
	"'post_processor':{'type':'RobertaProcessing','cls':['<s>',0],'sep':['</s>',1],"
	"'trim_offsets':true,'add_prefix_space':true},"
	"'model':{'type':'BPE','vocab':{'<s>':0,'</s>':1,'a':2,'b':3,'c':4,'\\u0120':5,"
	"'\\u00c3':6,'\\u00a9':7,'ab':8,'bc':9,'\\u0120ab':10,'aa':11,'\\u010a':12,'!':13,'1':14,"
	"'\\u0027':15,'s':16,'\\u0027s':17},"
	"'merges':['b c','a b','\\u0120 ab','a a','\\u0027 s']}}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_tokenizer(data, size, own);
	return 0;
}
