/*
 * fuzz_wordpiece.c
 *	  Any bytes as a text for a WordPiece tokenizer, or as a tokenizer.json and a text.
 */
#include "fuzz_tokenizer.h"

static const char own[] =
	"{'added_tokens':[{'id':1,'content':'[SEP]','special':true,'normalized':false},"
	"{'id':9,'content':'Ab c','normalized':true,'lstrip':true,'rstrip':true,'single_word':true}],"
	"'normalizer':{'type':'BertNormalizer'},'pre_tokenizer':{'type':'BertPreTokenizer'},"
	"'post_processor':{'type':'BertProcessing','cls':['[CLS]',2],'sep':['[SEP]',1]},"
	"'model':{'type':'WordPiece','unk_token':'[UNK]','max_input_chars_per_word':20,"
	"'vocab':{'[UNK]':0,'[SEP]':1,'[CLS]':2,'caf':3,'##e':4,'[':5,']':6,'a':7,'##a':8}}}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_tokenizer(data, size, own);
	return 0;
}
